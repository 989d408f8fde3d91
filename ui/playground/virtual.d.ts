// The modules that build/plugin.ts makes.
declare module 'virtual:playground/files' {
  /** Declarations by their path: `/lib/…`, `/loopscope/…`. */
  const files: Record<string, string>
  export default files
}

declare module 'virtual:playground/python' {
  /** The script of the thread that Python programs run in. */
  const code: string
  export default code
}

declare module 'virtual:playground/thread' {
  /** The script of the thread that programs run in. */
  const code: string
  export default code
}
