# SPDX-License-Identifier: MIT
# Prints the targets of makefiles that have "## text" behind them, under the headings "##: text".
BEGIN { printf "make targets (V=release|debug|asan|tsan|cov|fuzz, WERROR=1, VERBOSE=1):\n" }
/^##: / { heading = substr($0, 5); next }
/^[a-zA-Z%$][^ =]*:.*## / {
	target = $0; sub(/:.*/, "", target)
	text = $0; sub(/.*## /, "", text)
	if (heading != "") { printf "\n%s\n", heading; heading = "" }
	printf "  %-16s %s\n", target, text
}
