// Express with its default settings, which take /ADMIN/ for /admin/. It trusts what is in front of it.
//
// In: issuer and audience, which it does not look at, and the port.
import express from 'express'

const port = process.argv[4]
const app = express().disable('x-powered-by')
app.get('/admin/*rest', (request, response) => response.type('text').send(`admin ${request.get('x-auth-subject') ?? ''}`))
app.use((request, response) => response.type('text').send(`home ${request.originalUrl}`))
const server = app.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${server.address().port}`))
