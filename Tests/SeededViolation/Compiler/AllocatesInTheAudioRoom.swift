// A gate that cannot fail proves nothing: the compiler must refuse this file.
@_noLocks
func process(_ sample: Float, into recording: inout [Float]) { recording.append(sample) }
