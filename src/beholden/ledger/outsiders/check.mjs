// Checks Beholden's proofs with npm's @transmute/rfc9162; the signature with Node's own crypto.
//   npm install @transmute/rfc9162
//   node check.mjs KEY.pub FILE.tlog-proof ...
//   node check.mjs KEY.pub --since OLD FILE        a consistency proof, from the checkpoint OLD that you kept
// Trees of up to 2^31 events: this library counts in 32 bits.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import rfc9162 from '@transmute/rfc9162'

const { RFC9162_SHA256 } = rfc9162.CoMETRE
const read = (file) => readFileSync(file, 'utf8')
const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'))
const require = (holds, why) => { if (!holds) throw new Error(why) }

function openCheckpoint(note, key) {
  const [name, id, ...rest] = key.trim().split('+')
  const kind = Buffer.from(rest.join('+'), 'base64')
  const hash = createHash('sha256').update(`${name}\n`).update(kind).digest()
  require(kind[0] === 1 && hash.subarray(0, 4).toString('hex') === id, 'KEY is no verifier key')
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), kind.subarray(1)])
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  const end = note.lastIndexOf('\n\n')
  const text = note.slice(0, end + 1)
  const [origin, size, root] = text.split('\n')
  const own = note.slice(end + 2).split('\n').map((line) => line.split(' '))
    .filter(([dash, signer, value]) => dash === '\u2014' && signer === name &&
      Buffer.from(value, 'base64').subarray(0, 4).toString('hex') === id)
  const signed = ([, , value]) => verify(null, Buffer.from(text), publicKey, Buffer.from(value, 'base64').subarray(4))
  require(origin === name && own.length > 0 && own.every(signed), 'the signature does not hold')
  return { size: Number(size), root: bytes(root), name }
}

async function checkProof(file, key) {
  const text = read(file)
  const at = text.indexOf('\n\n')
  const [header, extra, index, ...path] = text.slice(0, at).split('\n')
  require(header === 'c2sp.org/tlog-proof@v1' && extra.startsWith('extra ') && index.startsWith('index '), 'not a tlog-proof')
  const { size, root, name } = openCheckpoint(text.slice(at + 2), key)
  const seq = Number(index.slice(6))
  require(seq >= 0 && seq < size, 'an event behind the end')
  const leaf = await RFC9162_SHA256.leaf(bytes(extra.slice(6)))
  const proof = { log_id: '', tree_size: size, leaf_index: seq, inclusion_path: path.map(bytes) }
  const found = await RFC9162_SHA256.verify_inclusion_proof(leaf, proof)
  require(Buffer.compare(Buffer.from(found), Buffer.from(root)) === 0, 'it does not lead to the root')
  return `event ${seq} is among the ${size} under a tree head signed by ${name}`
}

async function checkConsistency(old, file, key) {
  const text = read(file)
  const at = text.indexOf('\n\n')
  const [claimed, ...lines] = text.slice(0, at).split('\n')
  const before = openCheckpoint(read(old), key)
  const after = openCheckpoint(text.slice(at + 2), key)
  require(claimed === `old ${before.size}` && before.size > 0 && before.size < after.size, 'a proof from another size')
  // RFC 9162, 2.1.4.2, step 2, is left to the caller by this library.
  const powerOf2 = Number.isInteger(Math.log2(before.size))
  const path = [...(powerOf2 ? [before.root] : []), ...lines.map(bytes)]
  const proof = { log_id: '', tree_size_1: before.size, tree_size_2: after.size, consistency_path: path }
  require(await RFC9162_SHA256.verify_consistency_proof(before.root, after.root, proof),
    'the newer tree does not begin with the older one')
  return `the tree head of ${after.size} events signed by ${after.name} continues that of ${before.size}`
}

const [keyFile, ...rest] = process.argv.slice(2)
const key = read(keyFile)
const since = rest[0] === '--since' ? rest[1] : null
for (const file of since === null ? rest : rest.slice(2)) {
  try {
    console.error(`${file}: ${since === null ? await checkProof(file, key) : await checkConsistency(since, file, key)}`)
  } catch (error) {
    console.error(`${file}: REFUSED: ${error.message}`)
    process.exitCode = 1
  }
}
