/**
 * Who asks, as far as the network tells. Cloudflare sets the header itself, whatever a client has sent;
 * `wrangler dev` sets it where a client has not; a bare runtime does not, and then nobody can be told
 * apart. https://developers.cloudflare.com/fundamentals/reference/http-headers/#cf-connecting-ip
 */

/** An IPv4 address, or the /64 of an IPv6 one, which is what one customer has. Null: not known. */
export function clientNetwork({ headers }: Request): string | null {
  const address = headers.get('cf-connecting-ip') ?? '';
  if (address === '' || address.length > 45) return null;
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail = ''] = address.toLowerCase().split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  return [...first, ...zeros, ...last].slice(0, 4).join(':');
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':').map((group) => group.replace(/^0+(?=.)/, ''));
}
