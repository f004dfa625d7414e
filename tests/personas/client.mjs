// A program with a key of its own, by npm `jose`: it proves who it is with what it signs (RFC 7523), and finds where to by the metadata.
// In: where libraries are, and then `keys FILE`, which makes a key, keeps it in FILE and prints what is to be registered; or
// `ask FILE ISSUER CLIENT_ID [CLAIMS]`, which asks for a JWT and prints status and answer, with the assertion that it showed.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [libraries, command, file, issuer, client, changed = '{}'] = process.argv.slice(2)
const home = createRequire(pathToFileURL(libraries + '/'))
const { SignJWT, exportJWK, generateKeyPair, importJWK } = await import(pathToFileURL(home.resolve('jose')))

if (command === 'keys') {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  writeFileSync(file, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600 })
  console.log(JSON.stringify({ keys: [await exportJWK(publicKey)] }))
} else {
  const metadata = await (await fetch(new URL('/.well-known/oauth-authorization-server', issuer))).json()
  if (!metadata.token_endpoint_auth_methods_supported.includes('private_key_jwt')) throw new Error('it is not offered')
  const key = await importJWK(JSON.parse(readFileSync(file)), 'EdDSA')
  const claims = { iss: client, sub: client, aud: metadata.issuer, jti: crypto.randomUUID(), ...JSON.parse(changed) }
  const assertion = await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).setIssuedAt().setExpirationTime('1m').sign(key)
  const answer = await fetch(metadata.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
  })
  console.log(JSON.stringify({ status: answer.status, answer: await answer.json(), assertion }))
}
