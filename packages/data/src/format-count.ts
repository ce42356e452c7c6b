const english = new Intl.NumberFormat('en-US');

/** A number for people, equal in every locale: `47,040,016`. */
export function formatCount(count: number): string {
  return english.format(count);
}
