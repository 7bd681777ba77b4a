extension Session {
    func probe() throws(InferenceError) {}
}
