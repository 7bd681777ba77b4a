internal import CRealtime

/// Equal temperament: A4 = MIDI key 69 = 440 Hz.
public enum Pitch {
    /// Hertz of a MIDI key, which may be fractional.
    ///
    /// Room: audio.
    @_noLocks public static func frequency(key: Float) -> Float { 440 * rt_exp2((key - 69) / 12) }
}
