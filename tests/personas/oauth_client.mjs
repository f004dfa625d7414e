// OAuth clients of others in Node: `openid-client`, as programs use it, and `oauth4webapi`, which it is made of and which checks each
// answer by the letter. In: where libraries are, which of the two; then one JSON question per line. Out: one JSON answer per line.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [libraries, library] = process.argv.slice(2)
const home = createRequire(pathToFileURL(libraries + '/'))
const load = (name) => import(pathToFileURL(home.resolve(name)))
const oauth = await load('oauth4webapi')
const openid = await load('openid-client')

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
// The stories speak http on loopback.
const plain = { [oauth.allowInsecureRequests]: true }

async function proof({ secret, key, alg }, from) {
  if (secret) return from.ClientSecretBasic(secret)
  if (!key) return from.None()
  const algorithm = { ES256: { name: 'ECDSA', namedCurve: 'P-256' }, EdDSA: 'Ed25519' }[alg]
  return from.PrivateKeyJwt({ key: await crypto.subtle.importKey('jwk', key, algorithm, false, ['sign']), kid: key.kid })
}

const withOpenidClient = {
  async discover({ issuer, client_id, ...credentials }) {
    const options = { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] }
    this.config = await openid.discovery(new URL(issuer), client_id, {}, await proof(credentials, openid), options)
    return this.config.serverMetadata()
  },
  refresh({ refresh_token, ...more }) {
    return openid.refreshTokenGrant(this.config, refresh_token, more)
  },
  async revoke({ token }) {
    await openid.tokenRevocation(this.config, token)
    return {}
  },
  client_credentials(parameters) {
    return openid.clientCredentialsGrant(this.config, parameters)
  },
  exchange(parameters) {
    return openid.genericGrantRequest(this.config, EXCHANGE, parameters)
  },
  introspect({ token }) {
    return openid.tokenIntrospection(this.config, token)
  },
}

const withOauth4webapi = {
  async discover({ issuer, client_id, ...credentials }) {
    const url = new URL(issuer)
    const response = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...plain })
    this.as = await oauth.processDiscoveryResponse(url, response)
    this.who = [this.as, { client_id }, await proof(credentials, oauth)]
    return this.as
  },
  async refresh({ refresh_token, ...additionalParameters }) {
    const response = await oauth.refreshTokenGrantRequest(...this.who, refresh_token, { additionalParameters, ...plain })
    return oauth.processRefreshTokenResponse(this.as, this.who[1], response)
  },
  async revoke({ token }) {
    await oauth.processRevocationResponse(await oauth.revocationRequest(...this.who, token, plain))
    return {}
  },
  async client_credentials(parameters) {
    const response = await oauth.clientCredentialsGrantRequest(...this.who, parameters, plain)
    return oauth.processClientCredentialsResponse(this.as, this.who[1], response)
  },
  async exchange(parameters) {
    const response = await oauth.genericTokenEndpointRequest(...this.who, EXCHANGE, parameters, plain)
    return oauth.processGenericTokenEndpointResponse(this.as, this.who[1], response)
  },
  async introspect({ token }) {
    const response = await oauth.introspectionRequest(...this.who, token, plain)
    return oauth.processIntrospectionResponse(this.as, this.who[1], response)
  },
  // RFC 9701: the answer is a JWT, whose signature is verified by the published keys.
  async introspect_signed({ token }) {
    const response = await oauth.introspectionRequest(...this.who, token, { requestJwtResponse: true, ...plain })
    const claims = await oauth.processIntrospectionResponse(this.as, this.who[1], response)
    await oauth.validateApplicationLevelSignature(this.as, response, plain)
    return claims
  },
}

const client = { 'openid-client': withOpenidClient, oauth4webapi: withOauth4webapi }[library]
for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...question } = JSON.parse(line)
  let answer
  try {
    answer = { ok: await client[ask](question) }
  } catch (error) {
    // What the server said, or why the library does not take it.
    const { error: code, status, message, cause } = error
    // A challenge is all that they read of a 401; the code is in its body.
    const body = error instanceof oauth.WWWAuthenticateChallengeError ? await error.response.json() : {}
    answer = { error: code ?? body.error ?? message, status: status ?? null, cause: String(cause?.message ?? cause ?? '') }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
