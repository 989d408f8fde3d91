// How the commands end: exit codes, and Ctrl-C.

export const EXIT = {
  fine: 0,
  /** The address cannot be used, or closing failed. */
  failed: 1,
  /** The target cannot be reached, died, or gave no good answer. */
  target: 1,
  usage: 2,
  /** The tester could not keep its own schedule. */
  schedule: 3,
  /** The application cannot start; uvicorn has the same code for that. */
  startup: 3,
  interrupted: 130,
} as const

/** Calls `stop` on the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function onInterrupt(stop: () => void): () => void {
  let times = 0
  const onSignal = (): void => {
    if (++times > 1) process.exit(EXIT.interrupted)
    stop()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
}
