/** One of the four files of MNIST. */
export interface MnistFile {
  readonly name: string;
  /** Of the uncompressed file. */
  readonly sha256: string;
  /** Size of the uncompressed file. */
  readonly bytes: number;
}

/** The original files, in the order in which they are fetched. */
export const mnistFiles: {
  readonly [Key in 'trainImages' | 'trainLabels' | 'testImages' | 'testLabels']: MnistFile;
} = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    bytes: 47_040_016,
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    bytes: 60_008,
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    bytes: 7_840_016,
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    bytes: 10_008,
  },
};

/** What `manifestHash` gives for the two splits that these files make. */
export const mnistManifests = {
  train: '341e0f18eeb363736e9e11f8e191f1a8b4722bb126e9945877a74ad28c39cc75',
  test: '31a27ffc9e8bc2ad193c8c244da2a89ed51467020c94a62a29839199787f9035',
} as const;

/** Public copies; each folder has the four files with the ending `.gz`. */
export const mnistMirrors: readonly string[] = [
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
];

export const mnistClassNames: readonly string[] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
