// Long texts that are made while they are read: traces, and a run's events.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { errorBody } from '../errors.ts'
import type { Monitor, Text } from '../monitor.ts'

const trace = z.object({ traceEvents: z.array(z.record(z.string(), z.unknown())), displayTimeUnit: z.literal('ms') })

/** The schema of a trace's route. */
export const asTrace = { description: 'Chrome trace event JSON: open it at ui.perfetto.dev', response: { 200: trace, 404: errorBody, 503: errorBody } }

/** Answers with a text; `of` is the number of its run or stall, and `name` makes it a file to download, as JSON. */
export async function download(
  request: FastifyRequest & { query: { loop?: string | undefined } }, reply: FastifyReply, monitor: Monitor, what: Text, of: number, name?: string,
): Promise<Readable> {
  const { readers } = request.server
  readers.enter(request, reply)
  const texts = await monitor.text(what, of, request.query.loop)
  // The client has disconnected, or is answered already.
  if (reply.raw.destroyed) texts.close?.()
  else reply.raw.once('close', () => texts.close?.())
  if (name === undefined) reply.type('application/x-ndjson')
  else reply.type('application/json; charset=utf-8').header('content-disposition', `attachment; filename="${name}"`)
  return readers.body(texts)
}
