// Serves the suite's application on loopscope: node serve.ts PORT [KEY CERTIFICATE]. With a key, by TLS and HTTP/2.
import { readFileSync } from 'node:fs'
import { serve } from '../../../src/asgi/index.ts'
import { createApplication } from './application.ts'

const [port, key, certificate] = process.argv.slice(2)
const app = createApplication({ lifespan: process.env['ASGI_LIFESPAN'] ?? 'complete', log: process.env['ASGI_LOG'] })
const tls = key === undefined ? {} : { http2: true, tls: { key: readFileSync(key), cert: readFileSync(certificate as string), requestCert: true, rejectUnauthorized: false } }

function fail(error: unknown): never {
  console.error((error as Error).message)
  process.exit(3)
}

const server = await serve(app, { port: Number(port), ...tls }).catch(fail)
process.once('SIGTERM', () => {
  server.close().then(() => process.exit(0), fail)
})
