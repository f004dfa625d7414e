// A service in Node that believes JWTs by npm `jose`; where it has a private key, those alone that are encrypted to it.
// In: where libraries are, the URL of the key set, issuer, audience, and perhaps a file with a private JWK. Out: a port on stdout; then claims as JSON, or 401.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [libraries, keys, issuer, audience, privateFile] = process.argv.slice(2)
const home = createRequire(pathToFileURL(libraries + '/'))
const { compactDecrypt, createRemoteJWKSet, importJWK, jwtVerify } = await import(pathToFileURL(home.resolve('jose')))

// As short a pause as a story can wait for; half a minute by default.
const keySet = createRemoteJWKSet(new URL(keys), { cooldownDuration: 100 })
const policy = { issuer, audience, typ: 'at+jwt', algorithms: ['ES256'], requiredClaims: ['sub', 'exp', 'iat', 'jti', 'sid'] }

const own = privateFile ? JSON.parse(readFileSync(privateFile, 'utf8')) : undefined
const ownKey = own && (await importJWK(own, own.alg))

async function opened(token) {
  if (!ownKey) return token
  const { plaintext, protectedHeader } = await compactDecrypt(token, ownKey, {
    keyManagementAlgorithms: [own.alg],
    contentEncryptionAlgorithms: ['A256GCM', 'A128GCM', 'A256CBC-HS512'],
  })
  if (protectedHeader.cty !== 'JWT') throw new Error('cty')
  return new TextDecoder().decode(plaintext)
}

const server = createServer(async (request, response) => {
  try {
    const jwt = (request.headers.authorization ?? '').replace(/^Bearer /, '')
    const { payload } = await jwtVerify(await opened(jwt), keySet, policy)
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify(payload))
  } catch (error) {
    response.statusCode = 401
    response.end(String(error.code ?? error))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`))
