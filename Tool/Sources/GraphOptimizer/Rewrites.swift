package import Inference

/// The rewrites there are, in the order in which each finds what the one before leaves.
package enum Rewrites {
    /// Those that lose no precision beyond rounding.
    package static func standard(_ runtime: OnnxRuntime) -> [any GraphRewrite] {
        [
            WeightNormalization(runtime), ConstantFolding(runtime), BatchNormFolding(),
            AffineComposition(runtime),
            Polyphase(), ConvolutionLayout(),
        ]
    }

    /// The names of those that are always tried.
    package static let standardNames = [
        WeightNormalization.name, ConstantFolding.name, BatchNormFolding.name, AffineComposition.name,
        Polyphase.name, ConvolutionLayout.name,
    ]

    /// The names of all.
    package static let allNames =
        standardNames + [
            ShapeSpecialization.name, ByteMatrices.name, CalibratedConvolutions.name, HalfWeights.name,
        ]
}
