// The app. Its session is a cookie that it cannot read; its CSRF token it asks for once and keeps in memory.

let csrfToken

// A request to this origin. Whatever changes something carries the token, and a fresh one when the old one no longer holds: it ends
// with its session, and somebody may have signed in again in another tab.
async function ask(method, path, body, isSecondTry = false) {
  const headers = {}
  if (body) headers['Content-Type'] = 'application/json'
  if (method !== 'GET') {
    csrfToken ??= await newToken()
    headers['X-CSRF-Token'] = csrfToken
  }
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) })
  if (answer.status === 401) throw new SignedOut()
  // Vestibule says "code": "csrf" in the body, but nginx and HAProxy do not pass it on: the status has to do.
  if (answer.status === 403 && method !== 'GET' && !isSecondTry) {
    csrfToken = undefined
    return ask(method, path, body, true)
  }
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`)
  return answer.status === 204 ? undefined : answer.json()
}

async function newToken() {
  const answer = await fetch('/auth/api/v1/csrf')
  if (answer.status === 401) throw new SignedOut()
  if (!answer.ok) throw new Error(`no CSRF token: ${answer.status}`)
  return (await answer.json()).csrf_token
}

class SignedOut extends Error {}

const at = (id) => document.getElementById(id)

function show({ email, tasks }) {
  if (email) at('who').textContent = `Signed in as ${email}`
  at('tasks').replaceChildren(...tasks.map((title) => Object.assign(document.createElement('li'), { textContent: title })))
  at('add').hidden = false
  at('sign-in').hidden = true
}

function signedOut() {
  csrfToken = undefined
  at('who').textContent = 'You are signed out.'
  at('tasks').replaceChildren()
  at('add').hidden = true
  at('sign-in').hidden = false
}

// Does something, and shows what came of it.
async function act(deed) {
  try {
    await deed()
  } catch (error) {
    if (error instanceof SignedOut) signedOut()
    else at('who').textContent = `That did not work: ${error.message}`
  }
}

at('add').addEventListener('submit', (event) => {
  event.preventDefault()
  act(async () => {
    show(await ask('POST', '/api/tasks', { title: at('title').value }))
    at('title').value = ''
  })
})
at('clear').addEventListener('click', () => act(async () => show({ tasks: (await ask('DELETE', '/api/tasks')) ?? [] })))
at('sign-out').addEventListener('click', () => act(async () => signedOut(await ask('POST', '/auth/api/v1/logout'))))

act(async () => show(await ask('GET', '/api/tasks')))
