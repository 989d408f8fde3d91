// Effect 4 with its untraced functions: the cheapest way it has to write a function that returns an effect.
import { Effect } from 'effect'
import { workloads } from './effect-workloads.mjs'

export const { spawn, switching, pingpong, queue, timers, memory, deep, resuspend, cancel } =
  workloads(Effect.fnUntraced)
