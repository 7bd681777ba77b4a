extension Float {
    /// Within ±limit; 0 for what is no number.
    func clamped(_ limit: Float) -> Float { isNaN ? 0 : Swift.min(Swift.max(self, -limit), limit) }
}
