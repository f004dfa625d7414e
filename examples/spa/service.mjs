// The service behind a single-page app: its files, and an API that believes nothing but JWTs for it.
//
//   npm install jose
//   node service.mjs http://127.0.0.1:8080
//
// In: the issuer (what browsers see), the port (9000), where the keys are when not at the issuer.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const [issuer, port = '9000', keys = `${issuer}/.well-known/jwks.json`] = process.argv.slice(2)
const keySet = createRemoteJWKSet(new URL(keys))
const policy = { issuer, audience: 'tasks', typ: 'at+jwt', algorithms: ['ES256'], requiredClaims: ['sub', 'exp', 'iat'] }

const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/app.js': ['app.js', 'text/javascript; charset=utf-8'],
}
const tasks = new Map()

async function body(request) {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > 16384) throw new Error('too long')
  }
  return JSON.parse(text)
}

// Nothing here asks for a CSRF token: no request with a cookie gets here without one.
async function answer(request) {
  const { pathname } = new URL(request.url, issuer)
  if (files[pathname] && request.method === 'GET') {
    const [name, type] = files[pathname]
    const ofPages = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    const headers = { 'Content-Type': type, 'Content-Security-Policy': ofPages, 'Cache-Control': 'no-cache' }
    return [200, await readFile(new URL(name, import.meta.url)), headers]
  }
  const jwt = (request.headers.authorization ?? '').replace(/^Bearer /, '')
  const verified = await jwtVerify(jwt, keySet, policy).catch(() => null)
  if (!verified) return [401, { error: 'no JWT that can be believed' }]
  const { sub, email } = verified.payload
  const mine = tasks.get(sub) ?? []
  switch (`${request.method} ${pathname}`) {
    case 'GET /api/tasks':
      return [200, { email, tasks: mine }]
    case 'POST /api/tasks': {
      const { title } = await body(request)
      if (typeof title !== 'string' || !title) return [422, { error: 'a task has a title' }]
      tasks.set(sub, [...mine, title])
      return [201, { tasks: tasks.get(sub) }]
    }
    case 'DELETE /api/tasks':
      tasks.delete(sub)
      return [204]
    default:
      return [404, { error: 'there is nothing here' }]
  }
}

const server = createServer(async (request, response) => {
  const [status, content, headers] = await answer(request).catch(() => [400, { error: 'malformed' }])
  const isFile = content instanceof Uint8Array
  response.writeHead(status, headers ?? (content ? { 'Content-Type': 'application/json' } : {}))
  response.end(isFile || !content ? content : JSON.stringify(content))
})
server.listen(Number(port), '127.0.0.1', () => console.log(JSON.stringify({ listening: server.address().port })))
