#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every source file names its licence in its first lines.

Put "SPDX-License-Identifier: MIT" in a comment on top, behind #! where there is one.
"""
from csource import Report, files, read

SUFFIXES = (".c", ".h", ".idl", ".py", ".sh", ".awk", ".mk", ".ts", ".js", ".mjs", ".css", ".sql")


def main():
    r = Report("spdx")
    for path in files():
        name = path.split("/")[-1]
        if "." in name and not name.endswith(SUFFIXES):
            continue
        head = read(path).split("\n")[:3]
        is_source = name.endswith(SUFFIXES) or name == "Makefile" or head[0].startswith("#!")
        if is_source and not any("SPDX-License-Identifier: MIT" in line for line in head):
            r.error(path, 1, "no SPDX-License-Identifier: MIT")
    r.exit()


if __name__ == "__main__":
    main()
