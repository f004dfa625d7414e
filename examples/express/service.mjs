// A service behind Vestibule in Node that knows who is asking. Start it where a route's `upstream` points:
//
//   npm install express jose
//   node service.mjs http://127.0.0.1:8080 orders 9000
//
// In: the issuer (what browsers see), the audience, the port.
import express from 'express'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

const [issuer, audience, port = '9000'] = process.argv.slice(2)
const policy = { issuer, audience, typ: 'at+jwt', algorithms: ['ES256'], requiredClaims: ['sub', 'exp', 'iat'] }

// Where the keys are, as the issuer says (RFC 8414), asked when a JWT comes and none are known. The set is renewed by `jose`.
let keySet
async function keys() {
  if (keySet) return keySet
  const url = new URL('/.well-known/oauth-authorization-server', issuer)
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(5000) })
  const metadata = await answer.json()
  if (metadata.issuer !== issuer) throw new Error('the metadata is that of another issuer')
  return (keySet = createRemoteJWKSet(new URL(metadata.jwks_uri), { cacheMaxAge: 300_000 }))
}

// What says that the JWT is bad. Anything else (the issuer is down, its answer is no key set) says nothing about it.
const refusals = [errors.JOSEAlgNotAllowed, errors.JOSENotSupported, errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys,
  errors.JWSInvalid, errors.JWSSignatureVerificationFailed, errors.JWTClaimValidationFailed, errors.JWTExpired, errors.JWTInvalid]

// Puts the claims into `request.claims`, or nothing for strangers. A JWT that is no good is never just a stranger.
async function known(request, response, next) {
  const header = request.headers.authorization
  if (!header) return next()
  const jwt = /^Bearer +([^ ,]+)$/i.exec(header)?.[1]
  try {
    if (jwt) request.claims = (await jwtVerify(jwt, await keys(), policy)).payload
  } catch (error) {
    if (!refusals.some((kind) => error instanceof kind)) {
      console.error(error)
      return response.status(503).set('Retry-After', '5').json({ code: 'unavailable' })
    }
  }
  if (request.claims) return next()
  response.status(401).set('WWW-Authenticate', 'Bearer error="invalid_token"').json({ code: 'jwt' })
}

function signedIn(request, response, next) {
  if (request.claims) return next()
  response.status(401).set('WWW-Authenticate', 'Bearer').json({ code: 'no-credential' })
}

const app = express().disable('x-powered-by').use(known)
app.get('/orders/', signedIn, ({ claims }, response) => response.json({ subject: claims.sub, email: claims.email, department: claims.department }))
app.get('/public/', ({ claims }, response) => response.type('text').send(claims ? `Hello, ${claims.sub}` : 'Hello, stranger'))
const server = app.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${server.address().port}`))
