// The least that a thread can do: only the way there and back is measured.
export function echo(value) {
  return value
}

export default echo
