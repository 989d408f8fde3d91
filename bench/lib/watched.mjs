// A program with an observer, for observer.mjs: it produces events, and on request a task blocks its loop. node watched.mjs
// BUILD EVENTS_A_SECOND
const [build, rate] = process.argv.slice(2)
const { Queue, run, sleep, gather } = await import(build)
const { observe } = await import(new URL('./observe/index.js', build).href)

/** A sleeping task makes three events in each round: suspended, ready, running. */
const EVENTS_A_ROUND = 3
const NAP = 0.01

function* ticker() {
  for (;;) yield* sleep(NAP)
}

const requests = new Queue()

function* blocker() {
  for (;;) {
    const { block } = yield* requests.get()
    const began = Number(process.hrtime.bigint()) / 1e9
    while (Number(process.hrtime.bigint()) / 1e9 - began < block);
    process.send?.({ began, ended: Number(process.hrtime.bigint()) / 1e9 })
  }
}

function* main(watching) {
  process.send?.({ url: watching.url })
  const tickers = Math.max(1, Math.round((Number(rate) * NAP) / EVENTS_A_ROUND))
  yield* gather([blocker(), ...Array.from({ length: tickers }, ticker)])
}

process.on('message', (request) => requests.putNowait(request))
process.on('disconnect', () => process.exit(0))
await run(main(await observe({ port: 0, maxSubscribers: 1000 })))
