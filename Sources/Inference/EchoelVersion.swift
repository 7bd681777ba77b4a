/// The version of everything that is released together, as semver.org has it: this library, the tool and `libechoel` take
/// it from here. A test holds the training package and the changelog to it.
///
/// Room: any.
public enum EchoelVersion {
    @inlinable
    public static var current: StaticString { "0.1.0" }
}
