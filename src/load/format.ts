// Formats figures for people: three digits at most, and a unit.

/** A time given in ms. */
export function time(ms: number): string {
  if (ms >= 99_950) return `${Math.round(ms / 1000)} s`
  if (ms >= 999.5) return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`
  if (ms >= 99.95) return `${Math.round(ms)} ms`
  return `${ms.toFixed(ms >= 9.995 ? 1 : 2)} ms`
}

export function count(number: number): string {
  return number >= 100 || Number.isInteger(number) ? Math.round(number).toLocaleString('en-US') : number.toFixed(1)
}

export function plural(number: number, thing: string): string {
  return `${count(number)} ${thing}${number === 1 ? '' : 's'}`
}

/** Aligned rows: the columns in `left` to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const fit = (cell: string, column: number): string => (left.includes(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))
  return rows.map((row) => row.map(fit).join('  ').trimEnd()).join('\n')
}
