// The least that a thread can be asked: what is measured is the way there and back.
export function echo(value) {
  return value
}

export default echo
