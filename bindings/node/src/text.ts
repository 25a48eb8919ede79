import { CODES } from './codes';
import * as native from './native';

/**
 * Why C can't be given this string as it is: it would end at a NUL, at another user's ID, and koffi would send U+FFFD in place
 * of half a surrogate pair.
 */
export function unusable(text: string): 'ZUS_ERR_ARGUMENT' | 'ZUS_ERR_UTF8' | undefined {
  if (/\p{Surrogate}/u.test(text)) return 'ZUS_ERR_UTF8';
  return text.includes('\0') ? 'ZUS_ERR_ARGUMENT' : undefined;
}

export function why(code: 'ZUS_ERR_ARGUMENT' | 'ZUS_ERR_UTF8'): string {
  return code === 'ZUS_ERR_UTF8' ? `${native.codeText(CODES[code])}: it holds half of a surrogate pair` : `${native.codeText(CODES[code])}: it holds a NUL`;
}
