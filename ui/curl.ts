// The curl command that requests an address. Characters that a shell would interpret are percent-encoded, because a loop's
// name in the address may come from a link or from another process.
export function curl(url: string, options = ''): string {
  const plain = url.replace(/[!'()*$;|\\`"]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
  return `curl ${options}${options === '' ? '' : ' '}${/[?&]/.test(plain) ? `"${plain}"` : plain}`
}
