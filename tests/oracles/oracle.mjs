// npm's `jose` as a judge. In: one JSON question per line: {jwt, jwks, issuer, audience, typ, now, skew}.
// Out: one JSON answer per line: {jose: null} when it accepts, {jose: "why not"} when it refuses.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

// Installed beside the build, not beside this file.
const home = createRequire(pathToFileURL(process.argv[2] + '/'))
const { createLocalJWKSet, jwtVerify } = await import(pathToFileURL(home.resolve('jose')))

async function judge({ jwt, jwks, issuer, audience, typ, now, skew }) {
  try {
    await jwtVerify(jwt, createLocalJWKSet(jwks), {
      issuer,
      audience,
      typ,
      algorithms: ['EdDSA', 'Ed25519', 'ES256', 'PS256', 'RS256'],
      currentDate: new Date(now * 1000),
      clockTolerance: skew,
      requiredClaims: ['sub', 'exp'],
    })
    return { jose: null }
  } catch (error) {
    return { jose: `${error.code ?? error.name}: ${error.message}` }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await judge(JSON.parse(line))) + '\n')
}
