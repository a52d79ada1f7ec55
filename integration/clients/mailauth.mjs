// SPDX-License-Identifier: MIT
// mailauth as a filter: a list of jobs as JSON on stdin, the list of results on stdout. Argument: the DNS server, "address:port".
//
//	{"op": "sign", "message": base64, "signatures": [{"domain", "selector", "key": PEM, "canonicalization"}]}      the fields, base64
//	{"op": "verify", "message": base64, "ip", "helo", "sender"}            {"dkim": [...], "spf", "dmarc": {...}, "arc": {...}}
//	{"op": "seal", "message": base64, "domain", "selector", "key"}         the fields, base64
//	{"op": "spf", "ip", "helo", "sender"}                                   the result
import { createRequire } from 'node:module';
import { Resolver } from 'node:dns/promises';

const require = createRequire(import.meta.url);
// by file: the whole also loads what is only for logos, which needs a newer Node.js than Debian 12 has
const { dkimSign } = require('mailauth/lib/dkim/sign');
const { dkimVerify } = require('mailauth/lib/dkim/verify');
const { spf } = require('mailauth/lib/spf');
const { dmarc } = require('mailauth/lib/dmarc');
const { arc, createSeal } = require('mailauth/lib/arc');

const dns = new Resolver({ timeout: 10000, tries: 2 });
dns.setServers([process.argv[2]]);
const resolver = (name, type) => dns.resolve(name, type);

const encode = (text) => Buffer.from(text, 'binary').toString('base64');

async function sign(job) {
	const res = await dkimSign(Buffer.from(job.message, 'base64'), {
		signatureData: job.signatures.map((s) => ({
			signingDomain: s.domain, selector: s.selector, privateKey: s.key, canonicalization: s.canonicalization,
		})),
	});
	if (res.errors.length)
		throw new Error(res.errors.map((e) => e.err?.message ?? e).join('; '));
	return encode(res.signatures);
}

async function verify(job) {
	const found = await dkimVerify(Buffer.from(job.message, 'base64'), { resolver, sender: job.sender });
	const sent = job.ip ? await spf({ resolver, ip: job.ip, helo: job.helo, sender: job.sender, mta: 'mx.test' }) : null;
	const chain = await arc(found.arc, { resolver });
	const policy = await dmarc({
		resolver,
		headerFrom: found.headerFrom,
		spfDomains: sent?.status.result === 'pass' ? [sent.domain] : [],
		dkimDomains: found.results.filter((r) => r.status.result === 'pass').map((r) => ({
			id: r.id, domain: r.signingDomain, aligned: r.status.aligned, underSized: r.status.underSized,
		})),
	});
	return {
		dkim: found.results.map((r) => ({ status: r.status.result, comment: r.status.comment, domain: r.signingDomain, selector: r.selector })),
		spf: sent?.status.result ?? 'none',
		dmarc: policy ? { status: policy.status?.result, policy: policy.policy, domain: policy.domain } : null,
		arc: { status: chain?.status?.result ?? 'none', comment: chain?.status?.comment, sets: chain?.i ?? 0 },
	};
}

async function seal(job) {
	const found = await dkimVerify(Buffer.from(job.message, 'base64'), {
		resolver, seal: { signingDomain: job.domain, selector: job.selector, privateKey: job.key },
	});
	const chain = await arc(found.arc, { resolver });
	const res = await createSeal(false, {
		headers: found.headers,
		arc: found.arc,
		seal: Object.assign({ i: chain.i + 1, cv: chain.status.result, authResults: 'mx.test; dkim=none', signTime: new Date() }, found.seal),
	});
	return encode(res.headers.join('\r\n') + '\r\n');
}

const ops = {
	sign, verify, seal,
	spf: async (job) => (await spf({ resolver, ip: job.ip, helo: job.helo, sender: job.sender, mta: 'mx.test' })).status.result,
};

let text = '';
for await (const piece of process.stdin)
	text += piece;
const results = [];
for (const job of JSON.parse(text))
	results.push(await ops[job.op](job));
process.stdout.write(JSON.stringify(results));
