/// Why a model was not optimised: a sentence that names the thing and the remedy.
package struct OptimizeError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
