/**
 * The longest part that `String.prototype.includes` finds in time that grows only with the text: V8's search
 * prepares the last 250 characters of a part, and moves on by single characters where an earlier one differs.
 */
const SHORT_PART = 250;

/**
 * As `text.includes(part)`, in time that grows with the sum of their lengths, not with their product: both may be
 * chosen by a caller, and a workflow's code holds up all runs of its worker.
 */
export function includesText(text: string, part: string): boolean {
  if (part.length <= SHORT_PART || part.length > text.length) return text.includes(part);
  const borders = findBorders(part);
  let matched = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    while (matched > 0 && part.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0;
    if (part.charCodeAt(matched) === unit) matched++;
    if (matched === part.length) return true;
  }
  return false;
}

/** Of each beginning of a text, the length of the longest that both begins and ends it (Knuth, Morris, Pratt). */
function findBorders(part: string): Uint32Array {
  const borders = new Uint32Array(part.length);
  let length = 0;
  for (let at = 1; at < part.length; at++) {
    const unit = part.charCodeAt(at);
    while (length > 0 && part.charCodeAt(length) !== unit) length = borders[length - 1] ?? 0;
    if (part.charCodeAt(length) === unit) length++;
    borders[at] = length;
  }
  return borders;
}
