/** A grey picture, row-major: 0 is black, 1 is white. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** `width * height` values in [0, 1]. */
  readonly values: Float32Array;
}
