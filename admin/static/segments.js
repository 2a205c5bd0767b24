// How many SMS a text is: 160 or 153 septets of GSM 7-bit, else 70 or 67 UTF-16 units (3GPP 23.038 and 23.040).
// The server counts the same way (profiles/gsm.py), on what it sends: curved apostrophes and spaces that do not break go out plain
// (profiles/gsm_advice.py). tests/admin/test_in_chromium.py compares them.

const BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED = "^{}\\[~]|€\f";

export function measure(text) {
  if (!text) return 0;
  const letters = [...text.replace(/[\u00a0\u202f\u2009\u200a\u2007]/g, " ").replaceAll("’", "'")];
  const isGsm = letters.every((letter) => BASIC.includes(letter) || EXTENDED.includes(letter));
  const sizes = letters.map((letter) => (isGsm ? (EXTENDED.includes(letter) ? 2 : 1) : letter.length));
  const [alone, part] = isGsm ? [160, 153] : [70, 67];
  if (sizes.reduce((sum, size) => sum + size, 0) <= alone) return 1;
  let parts = 1;
  let room = part;
  for (const size of sizes) {
    if (size > room) [parts, room] = [parts + 1, part]; // no letter is cut in two
    room -= size;
  }
  return parts;
}
