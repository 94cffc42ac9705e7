/// The structures of the head that segmentations by different tools have in common, by FreeSurfer's values.
package enum HeadStructures {
  package static let pairs: [(left: Int32, right: Int32, name: String)] = [
    (2, 41, "Cerebral-White-Matter"), (3, 42, "Cerebral-Cortex"), (4, 43, "Lateral-Ventricle"),
    (7, 46, "Cerebellum-White-Matter"), (8, 47, "Cerebellum-Cortex"), (10, 49, "Thalamus"),
    (11, 50, "Caudate"), (12, 51, "Putamen"), (13, 52, "Pallidum"), (17, 53, "Hippocampus"),
    (18, 54, "Amygdala"), (26, 58, "Accumbens-area"), (28, 60, "VentralDC"),
  ]

  /// Those that both sides share.
  package static let middle: [(value: Int32, name: String)] = [
    (14, "3rd-Ventricle"), (15, "4th-Ventricle"), (16, "Brain-Stem"),
  ]
}
