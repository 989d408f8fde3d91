// Effect 4 as most programs are written: a function returns Effect.gen of a generator.
import { Effect } from 'effect'
import { workloads } from './effect-workloads.mjs'

export const { spawn, switching, pingpong, queue, timers, memory, deep, resuspend, cancel } =
  workloads((body) => (...args) => Effect.gen(() => body(...args)))
