// Middleware: compresses what is worth it, for clients that can read it. Nothing is collected: each part of a body is
// compressed and sent before the application goes on.
import { constants, createGzip, type Gzip } from 'node:zlib'
import type { Application, Bytes, HttpScope, HttpSendEvent } from '../../src/asgi/index.ts'
import { fromPromise, type Coroutine } from '../../src/index.ts'
import { field, header, text, varying, without, type Fields } from './responses.ts'

type Start = Extract<HttpSendEvent, { type: 'http.response.start' }>

/** Types that become smaller. An event stream is excluded: it is many small messages that should not wait. */
const COMPRESSIBLE = /^(text\/(?!event-stream)|application\/(json|javascript|xml|wasm|.+\+(json|xml))|image\/svg\+xml)/

export function gzip(app: Application, { least = 1024 } = {}): Application {
  return function* compressed(scope, receive, send) {
    if (scope.type !== 'http' || scope.method === 'HEAD') return yield* app(scope, receive, send)
    const wanted = acceptsGzip(scope)
    let start = null as Start | null
    let stream = null as Gzip | null
    try {
      yield* app(scope, receive, function* (event) {
        if (event.type === 'http.response.start') {
          // Whether it is compressed depends on the body, too.
          start = event
          return
        }
        if (start !== null) {
          const headers = [...start.headers ?? []]
          const possible = event.type === 'http.response.body' && isCompressible(start.status, headers)
          const large = event.type === 'http.response.body' && (event.more_body === true || (event.body?.length ?? 0) >= least)
          if (possible && wanted && large) stream = createGzip()
          yield* send({ ...start, headers: stream !== null ? compressedHeaders(headers) : possible ? varying(headers, 'accept-encoding') : headers })
          start = null
        }
        if (event.type !== 'http.response.body' || stream === null) return yield* send(event)
        const { body = new Uint8Array(0), more_body: more = false } = event
        yield* send({ ...event, body: yield* compress(stream, body, more) })
      })
    } finally {
      stream?.destroy()
    }
  }
}

function acceptsGzip({ headers }: HttpScope): boolean {
  const offers = header(headers, 'accept-encoding').toLowerCase().split(',').map((offer) => offer.split(';').map((part) => part.trim()))
  const offer = offers.find(([name]) => name === 'gzip') ?? offers.find(([name]) => name === '*')
  return offer !== undefined && !offer.some((part) => /^q=0(\.0*)?$/.test(part))
}

function isCompressible(status: number, headers: Fields): boolean {
  return status !== 204 && status !== 206 && status !== 304 && COMPRESSIBLE.test(header(headers, 'content-type'))
    && header(headers, 'content-encoding') === '' && !/\bno-transform\b/i.test(header(headers, 'cache-control'))
}

function compressedHeaders(headers: Fields): Fields {
  // Other bytes with the same meaning: the tag of the plain ones becomes a weak one.
  const weak = without(headers, 'content-length').map(([name, value]) => (text(name).toLowerCase() === 'etag' && !text(value).startsWith('W/') ? field('etag', `W/${text(value)}`) : [name, value] as const))
  return varying([...weak, field('content-encoding', 'gzip')], 'accept-encoding')
}

/** What the client gets for this part, at once: without the flush, zlib would keep small parts. */
function* compress(stream: Gzip, part: Bytes, more: boolean): Coroutine<Bytes> {
  const out: Buffer[] = []
  const keep = (data: Buffer): void => { out.push(data) }
  stream.on('data', keep)
  try {
    yield* fromPromise(new Promise<void>((resolve, reject) => {
      stream.once('error', reject)
      if (part.length > 0) stream.write(part)
      if (more) stream.flush(constants.Z_SYNC_FLUSH, resolve)
      else stream.end().once('end', resolve)
    }))
  } finally {
    stream.off('data', keep)
    stream.removeAllListeners('error').on('error', () => {})
  }
  return Buffer.concat(out)
}
