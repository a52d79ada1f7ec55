// SPDX-License-Identifier: MIT
// A session of imapflow: node imapflow.mjs HOST PORT USER PASSWORD STEP. Prints "ok" at its end; throws otherwise.
import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import { ImapFlow } from 'imapflow'

const [host, port, user, pass, step] = process.argv.slice(2)
const text = subject => `From: a@localhost\r\nTo: b@localhost\r\nSubject: ${subject}\r\n\r\nhello ${subject}\r\n`

// Flags of a message without those that servers set themselves by the mailbox; keywords have no case.
const flags = m => [...m.flags].map(f => f.toLowerCase()).filter(f => !['\\recent', '$notjunk', '$junk'].includes(f))

async function connect(options = {}) {
	const c = new ImapFlow({ host, port: Number(port), secure: true, auth: { user, pass }, logger: false, tls: { rejectUnauthorized: false }, ...options })
	await c.connect()
	return c
}

async function read() {
	const c = await connect()
	const box = `Flow-${process.pid}`
	await c.mailboxCreate(box)
	const lock = await c.getMailboxLock(box)
	const { uid } = await c.append(box, text('one'), ['\\Flagged'])
	await c.append(box, text('two'))
	assert.ok(uid)
	const one = await c.fetchOne(uid, { source: true, envelope: true, flags: true, bodyStructure: true, size: true }, { uid: true })
	assert.equal(one.source.toString(), text('one'))
	assert.equal(one.envelope.subject, 'one')
	assert.equal(one.envelope.from[0].address, 'a@localhost')
	assert.equal(one.bodyStructure.type, 'text/plain')
	assert.equal(one.size, text('one').length)
	assert.deepEqual(flags(one), ['\\flagged'])
	const part = await c.download(uid, '1', { uid: true })
	let body = ''
	for await (const chunk of part.content) body += chunk
	assert.equal(body.trim(), 'hello one')
	assert.deepEqual(await c.search({ subject: 'two' }, { uid: true }), [uid + 1])
	assert.deepEqual(await c.search({ flagged: true }), [1])
	assert.deepEqual(await c.search({ body: 'hello' }), [1, 2])
	lock.release()
	await c.mailboxDelete(box)
	await c.logout()
}

async function change() {
	const c = await connect()
	const box = `Flow-${process.pid}`, other = `${box}/Other`
	await c.mailboxCreate(box)
	await c.mailboxCreate(other)
	assert.ok((await c.list()).some(m => m.path === other))
	const lock = await c.getMailboxLock(box)
	const { uid } = await c.append(box, text('move'))
	await c.messageFlagsAdd(uid, ['\\Seen', '$Work'], { uid: true })
	await c.messageFlagsRemove(uid, ['\\Seen'], { uid: true })
	assert.deepEqual(flags(await c.fetchOne(uid, { flags: true }, { uid: true })), ['$work'])
	const copied = await c.messageCopy(uid, other, { uid: true })
	assert.ok(copied.uidMap.get(uid))
	const moved = await c.messageMove(uid, other, { uid: true })
	assert.ok(moved.uidMap.get(uid))
	assert.equal((await c.status(box, { messages: true })).messages, 0)
	assert.equal((await c.status(other, { messages: true })).messages, 2)
	lock.release()
	const second = await c.getMailboxLock(other)
	await c.messageDelete('1:*')
	assert.equal(c.mailbox.exists, 0)
	second.release()
	await c.mailboxRename(other, `${box}/Renamed`)
	await c.mailboxDelete(`${box}/Renamed`)
	await c.mailboxDelete(box)
	await c.logout()
}

// Two connections: one idles and hears what the other does.
async function idle() {
	const a = await connect(), b = await connect()
	const box = `Flow-${process.pid}`
	await b.mailboxCreate(box)
	const lockA = await a.getMailboxLock(box), lockB = await b.getMailboxLock(box)
	const signal = AbortSignal.timeout(20000)
	const next = name => once(a, name, { signal })
	const idling = a.idle()
	const exists = next('exists')
	await b.append(box, text('idle'))
	assert.equal((await exists)[0].count, 1)
	// A server may tell the flags of the new message first.
	const flagged = (async () => {
		for await (const [m] of on(a, 'flags', { signal })) if (m.flags.has('\\Flagged')) return
	})()
	await b.messageFlagsAdd('1', ['\\Flagged'])
	await flagged
	const expunge = next('expunge')
	await b.messageDelete('1')
	await expunge
	await a.noop()
	await idling
	lockA.release()
	lockB.release()
	await b.mailboxDelete(box)
	await a.logout()
	await b.logout()
}

// Opening again with what was known before: QRESYNC where there is one.
async function resume() {
	const box = `Flow-${process.pid}`
	const c = await connect({ qresync: true })
	await c.mailboxCreate(box)
	const lock = await c.getMailboxLock(box)
	for (let i = 0; i < 5; i++) await c.append(box, text(`m${i}`))
	const seen = []
	for await (const m of c.fetch('1:*', { flags: true, uid: true })) seen.push(m.uid)
	assert.equal(seen.length, 5)
	await c.messageDelete(String(seen[2]), { uid: true })
	const left = []
	for await (const m of c.fetch('1:*', { uid: true })) left.push(m.uid)
	assert.deepEqual(left, seen.filter((_, i) => i !== 2))
	lock.release()
	await c.mailboxDelete(box)
	await c.logout()
}

await { read, change, idle, resume }[step]()
console.log('ok')
