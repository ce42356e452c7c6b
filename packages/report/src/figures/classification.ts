/** How well one class is told from the others. All shares in [0, 1]. */
export interface ClassScore {
  readonly name: string;
  /** Of the samples predicted as this class, the share that is. 0 if none was predicted. */
  readonly precision: number;
  /** Of the samples of this class, the share that was found. 0 if there are none. */
  readonly recall: number;
  /** Harmonic mean of precision and recall; 0 if both are. */
  readonly f1: number;
  /** Samples of this class. */
  readonly support: number;
}

/** Scores of all classes and their means. */
export interface ClassificationReport {
  readonly classes: readonly ClassScore[];
  /** Plain means over the classes that occur, as actual or as predicted (scikit-learn's `macro avg`). */
  readonly macro: { readonly precision: number; readonly recall: number; readonly f1: number };
  /** Share of the diagonal. */
  readonly accuracy: number;
  readonly support: number;
}

/**
 * Precision, recall, F1 and support of each class.
 *
 * @param confusion - counts, `[actual][predicted]`, square.
 * @throws RangeError if the matrix is not square or does not fit the names.
 *
 * @example
 * classificationReport([[9, 1], [2, 8]], ['cat', 'dog']).classes[0]?.recall; // 0.9
 */
export function classificationReport(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
): ClassificationReport {
  checkSquare(confusion, classNames);
  const predicted = classNames.map((_, column) => sum(confusion.map((row) => row[column] as number)));
  const classes = classNames.map((name, index): ClassScore => {
    const row = confusion[index] as readonly number[];
    const hits = row[index] as number;
    const support = sum(row);
    const precision = ratio(hits, predicted[index] as number);
    const recall = ratio(hits, support);
    return { name, precision, recall, f1: ratio(2 * precision * recall, precision + recall), support };
  });
  const occurring = classes.filter(({ support }, index) => support > 0 || (predicted[index] as number) > 0);
  const mean = (of: (score: ClassScore) => number): number => ratio(sum(occurring.map(of)), occurring.length);
  const support = sum(classes.map((score) => score.support));
  return {
    classes,
    macro: {
      precision: mean((one) => one.precision),
      recall: mean((one) => one.recall),
      f1: mean((one) => one.f1),
    },
    accuracy: ratio(sum(confusion.map((row, index) => row[index] as number)), support),
    support,
  };
}

/** Throws `RangeError` unless the matrix has a row and a column for each name. */
export function checkSquare(confusion: readonly (readonly number[])[], classNames: readonly string[]): void {
  const size = classNames.length;
  if (confusion.length === size && confusion.every((row) => row.length === size)) return;
  const found = `${confusion.length} rows of ${confusion.map((row) => row.length).join(', ')}`;
  throw new RangeError(`confusion must have ${size} rows and columns, one a class name, got ${found}`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
