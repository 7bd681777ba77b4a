#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The repository's root folder.
public let repositoryRoot: String = {
    // Tests/TestSupport/TestSupport.swift
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/")
}()

/// The path of a small model (or other file) in `Tests/Fixtures`.
public func fixture(_ name: String) -> String { "\(repositoryRoot)/Tests/Fixtures/\(name)" }
