// npm's `jose` on encrypted tokens. In: one JSON question per line: {do: 'encrypt', jwk, header, content} or {do: 'decrypt', jwk, alg, enc, jwe}.
// Out: one JSON answer per line: {jose: {jwe}}, {jose: {content}} or {jose: {error}}.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

// Installed beside the build, not beside this file.
const home = createRequire(pathToFileURL(process.argv[2] + '/'))
const { CompactEncrypt, compactDecrypt, importJWK } = await import(pathToFileURL(home.resolve('jose')))

async function work(question) {
  if (question.do === 'encrypt') {
    const { jwk, header, content } = question
    const key = await importJWK(jwk, header.alg)
    return { jwe: await new CompactEncrypt(new TextEncoder().encode(content)).setProtectedHeader(header).encrypt(key) }
  }
  const { jwk, alg, enc, jwe } = question
  const key = await importJWK(jwk, alg)
  const policy = { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: [enc] }
  const { plaintext } = await compactDecrypt(jwe, key, policy)
  return { content: new TextDecoder().decode(plaintext) }
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    answer = await work(JSON.parse(line))
  } catch (error) {
    answer = { error: `${error.code ?? error.name}: ${error.message}` }
  }
  process.stdout.write(JSON.stringify({ jose: answer }) + '\n')
}
