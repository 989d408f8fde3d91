// The switch workload while an observer with default options records it. An event without room in the ring is work left out,
// and fails the sample.
const { observe } = await import(new URL('./observe/index.js', process.env.LOOPSCOPE_BUILD).href)
const { switching } = await import('./loopscope.mjs')

const watching = await observe({ port: 0 })

async function metric(name) {
  const text = await (await fetch(`${watching.url}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(name) && !one.startsWith('#'))
  if (line === undefined) throw new Error(`the observer has no metric ${name}`)
  return Number(line.split(' ').at(-1))
}

export async function events(params, meter) {
  const value = await switching(params)
  meter.stop()
  // The next one begins when the observer has read all of this one.
  for (let before = -1, now = 0; before !== now; ) {
    before = now
    await new Promise((resolve) => setTimeout(resolve, 100))
    now = await metric('loopscope_events_total')
  }
  const lost = await metric('loopscope_events_lost_total')
  if (lost > 0) throw new Error(`${lost} events found no room`)
  return value
}
