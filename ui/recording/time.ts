// Times as text: how long something takes, and when it is on the loop's clock. All of the page uses these two.

/** A length of time. */
export function duration(seconds: number): string {
  const size = Math.abs(seconds)
  if (size === 0) return '0 s'
  if (size >= 3599.5) return parts(seconds, 60, 'h', 'min')
  if (size >= 99.5) return parts(seconds, 1, 'min', 's')
  if (size >= 0.9995) return `${Number(seconds.toFixed(3))} s`
  if (size >= 0.001) return `${Number((seconds * 1000).toPrecision(3))} ms`
  return `${Math.round(seconds * 1e6)} µs`
}

function parts(seconds: number, unit: number, large: string, small: string): string {
  const all = Math.round(Math.abs(seconds) / unit)
  return `${seconds < 0 ? '−' : ''}${Math.floor(all / 60).toLocaleString('en-US')} ${large} ${all % 60} ${small}`
}

/** A moment: `5.250 s`, from a minute on `25:05.496`, from an hour on `1:02:05.496`. */
export function moment(seconds: number, digits = 3): string {
  const scale = 10 ** digits
  if (Math.abs(seconds) < 60 - 0.5 / scale) return `${seconds.toFixed(digits)} s`
  const all = Math.round(Math.abs(seconds) * scale)
  const whole = Math.floor(all / scale)
  const pad = (value: number): string => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  const fraction = digits === 0 ? '' : `.${String(all % scale).padStart(digits, '0')}`
  return `${seconds < 0 ? '−' : ''}${hours > 0 ? `${hours}:${pad(minutes)}` : minutes}:${pad(whole % 60)}${fraction}`
}

/** A length of time in milliseconds, as stalls have it. */
export function milliseconds(seconds: number): string {
  const ms = seconds * 1000
  return `${ms >= 100 ? Math.round(ms).toLocaleString('en-US') : ms >= 1 ? trim(ms) : Number(ms.toFixed(3))} ms`
}

export function trim(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1)
}
