// A program with an observer, one loop of a cluster, for cluster.mjs: sleeping tasks make a number of events a second. node
// program.mjs BUILD NAME REDIS_URL|-
const [build, name, redisUrl] = process.argv.slice(2)
const { createTask, Future, getRunningLoop, run, sleep } = await import(build)
const { observe } = await import(new URL('./observe/index.js', build).href)

/** A sleeping task makes three events in each round: suspended, ready, running. */
const EVENTS_A_ROUND = 3
const NAP = 0.02

function* ticker(delay) {
  yield* sleep(delay)
  for (;;) yield* sleep(NAP)
}

/** Starts as many tickers as make this many events a second, each at another time. */
function setRate(tickers, rate) {
  const wanted = Math.round((rate * NAP) / EVENTS_A_ROUND)
  while (tickers.length > wanted) tickers.pop().cancel()
  while (tickers.length < wanted) tickers.push(createTask(ticker((tickers.length % 97) / 97 * NAP)))
}

function* main(url) {
  const loop = getRunningLoop()
  const tickers = []
  process.on('message', ({ rate, cpu }) => {
    if (rate !== undefined) loop.callSoon(setRate, tickers, rate)
    if (cpu !== undefined) {
      const { user, system } = process.cpuUsage()
      process.send?.({ cpu: (user + system) / 1e6 })
    }
  })
  // The loop's clock relative to the one that all processes of a machine share, in seconds.
  process.send?.({ url, zero: Number(process.hrtime.bigint()) / 1e9 - loop.time() })
  yield* new Future()
}

process.on('disconnect', () => process.exit(0))
const { url } = await observe({ port: 0, maxSubscribers: 5000, stacks: false, ...(redisUrl === '-' ? {} : { redisUrl, name }) })
await run(main(url))
