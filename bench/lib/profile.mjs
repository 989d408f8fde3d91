// `--profile`: one program alone under --cpu-prof, and where its time went, by function.
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { resolve } from 'node:path'
import { sample } from './peers.mjs'

const directory = fileURLToPath(new URL('../.profiles', import.meta.url))
const INTERVAL = 200

export async function profile(name, implementation, job) {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  /** @type {any} */
  const inherit = ['--cpu-prof', '--cpu-prof-dir', directory, '--cpu-prof-interval', String(INTERVAL)]
  const measured = await sample(implementation, { ...job, seconds: { warm: 0, measured: 3, wall: 10 } }, { inherit })
  const file = resolve(directory, readdirSync(directory)[0])
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'))
  const self = new Map(nodes.map(({ id }) => [id, 0]))
  samples.forEach((id, i) => self.set(id, self.get(id) + timeDeltas[i]))
  const places = new Map()
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber } = callFrame
    const place = `${functionName || '(anonymous)'} ${url === '' ? '' : `${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`}`
    places.set(place, (places.get(place) ?? 0) + self.get(id))
  }
  const total = [...places.values()].reduce((a, b) => a + b, 0)
  console.log(`${name} for three seconds of CPU, with its start (${JSON.stringify(measured)}):`)
  for (const [place, time] of [...places].sort((a, b) => b[1] - a[1]).slice(0, 30)) {
    console.log(`${((time / total) * 100).toFixed(1).padStart(5)} %  ${(time / 1000).toFixed(1).padStart(8)} ms  ${place}`)
  }
  console.log(`the whole profile, for a browser's developer tools: ${file}`)
}
