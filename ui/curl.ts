// The command for a terminal that asks for an address. What a shell would read as its own is as well said in hexadecimal: a
// loop's name in it comes from a link, or from another process.
export function curl(url: string, options = ''): string {
  const plain = url.replace(/[!'()*$;|\\`"]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
  return `curl ${options}${options === '' ? '' : ' '}${/[?&]/.test(plain) ? `"${plain}"` : plain}`
}
