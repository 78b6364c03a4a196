// Rows as a CSV file (RFC 4180) that a spreadsheet may open.

/**
 * @param {unknown} value
 * @returns {string}
 */
export function quoteField(value) {
  const formula = typeof value === 'string' && /^[=+\-@\t\r]/.test(value); // to a spreadsheet
  const text = `${formula ? "'" : ''}${value ?? ''}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * @param {readonly (readonly unknown[])[]} rows
 * @returns {string}
 */
export function toCsv(rows) {
  return rows.map((row) => row.map(quoteField).join(',')).join('\r\n');
}

/**
 * Records of the same keys as rows, their names above them.
 * @param {readonly Record<string, unknown>[]} records
 * @returns {unknown[][]}
 */
export function recordRows(records) {
  if (!records.length) return [];
  const names = Object.keys(records[0]);
  return [names, ...records.map((record) => names.map((name) => record[name]))];
}

/**
 * Has the browser save rows as a file.
 * @param {string} name
 * @param {readonly (readonly unknown[])[]} rows
 */
export function saveCsv(name, rows) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([toCsv(rows)], { type: 'text/csv' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
