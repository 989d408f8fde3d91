// A row of cells in which the loop itself writes down whose step begins, so that an instrument need not be called for each.
// The cells may be shared memory: whoever watches from another thread reads there what runs.

/** Where in `control` the next cell's index stands, and the index of the first cell that may not be written. */
export const TAPE_AT = 0
export const TAPE_END = 1

export class Tape {
  /** The ids of tasks, in the order of their steps. */
  readonly cells: Int32Array
  /** `TAPE_AT` and `TAPE_END`. At the end, or wherever the end is put, the instrument's `taskRunning` is called. */
  readonly control: Int32Array
  /** Whether a step of which nothing more is said ended in `sleep(0)`: then `taskYielded` is not called. */
  implied = true

  constructor(cells: Int32Array, control: Int32Array) {
    this.cells = cells
    this.control = control
  }

  /** Write an id down; false where there is no cell for it. */
  write(id: number): boolean {
    const { control } = this
    const at = control[TAPE_AT] as number
    if (at >= (control[TAPE_END] as number)) return false
    this.cells[at] = id
    control[TAPE_AT] = at + 1
    return true
  }
}
