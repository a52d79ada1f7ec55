// SPDX-License-Identifier: MIT
// parsers.mjs FILE...   prints the tree of media types that mailparser finds in each message: "FILE<tab>TREE".
import fs from "node:fs";
import { MailParser } from "mailparser";

function tree(node) {
	const type = (node.contentType || "text/plain").toLowerCase();
	const parts = type.startsWith("multipart/") ? node.children.map(tree) : [];
	return parts.length > 0 ? `${type}(${parts.join(",")})` : type;
}

function parse(file) {
	return new Promise((resolve) => {
		const parser = new MailParser();
		const end = () => resolve(parser.tree ? tree(parser.tree) : "none");
		parser.on("data", (d) => {
			if (d.type === "attachment") {
				d.content.on("end", () => d.release());
				d.content.on("error", () => {});
				d.content.resume();
			}
		});
		parser.on("end", end);
		parser.on("error", end);
		parser.end(fs.readFileSync(file));
	});
}

for (const file of process.argv.slice(2))
	console.log(`${file}\t${await parse(file)}`);
