import Foundation
import TestSupport
import Testing

@testable import Inference

/// An ONNX Runtime with a provider that misbehaves: a library of C around the real one, which says that it has OpenVINO,
/// runs what it is given on the CPU, and does wrong what it is told to.
struct FakeRuntime {
    enum Fault: String {
        case none = "0"
        /// The provider refuses to be used.
        case append = "1"
        /// It cannot compile a model.
        case create = "2"
        /// Runs from the fourth on fail, up to the sixth.
        case run = "3"
        /// Runs from the fourth on give NaN.
        case notFinite = "4"
        /// All runs give NaN.
        case neverFinite = "5"
        /// Results are wrong by a tenth.
        case inexact = "6"
        /// Runs take 20 ms longer.
        case slow = "7"
        /// The provider is sound, and runs of the CPU take 20 ms longer.
        case slowProcessor = "8"
    }

    static func open(_ fault: Fault, in folder: TemporaryFolder) throws -> OnnxRuntime {
        let real = try OnnxRuntime.open().path
        let source = try folder.write("fake\(fault.rawValue).c", Array(code.utf8))
        let library = "\(folder.path)/libfake\(fault.rawValue).so"
        try compile(source, to: library, ["-DFAULT=\(fault.rawValue)", "-DREAL=\"\(real)\""])
        return try OnnxRuntime.open(library: library)
    }

    static func compile(_ source: String, to library: String, _ options: [String] = []) throws {
        let script = "command -v clang >/dev/null && c=clang || c=cc; exec $c \"$@\""
        let arguments =
            ["/bin/sh", "-c", script, "sh", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lm"]
            + options
        var pointers = unsafe arguments.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        var process: pid_t = 0
        try #require(unsafe posix_spawn(&process, arguments[0], nil, nil, pointers, environ) == 0)
        var status: Int32 = -1
        unsafe waitpid(process, &status, 0)
        try #require(status == 0, "a C compiler is needed: clang or cc")
    }

    private static let code = """
        #include <dlfcn.h>
        #include <math.h>
        #include <stdint.h>
        #include <string.h>
        #include <time.h>
        typedef void *(*Function)();
        typedef struct { const void *(*api)(uint32_t); const char *(*version)(void); } Base;
        static void *table[219];
        static const Base *real;
        static void *marked, *foreign[64];
        static int foreigns, runs;
        static void *fail(const char *why) { return ((void *(*)(int, const char *))table[0])(1, why); }
        static void *(*realRun)(void *, void *, void *, void *, size_t, void *, size_t, void **);
        static void *(*realBound)(void *, void *, void *);
        static void *(*realBind)(void *, const char *, void *);
        static void *(*realCreate)(void *, const char *, void *, void **);
        static void *(*realConfig)(void *, const char *, const char *);
        static char *names[] = { "OpenVINOExecutionProvider", "CPUExecutionProvider" };
        static void *providers(char ***list, int *count) { *list = names; *count = 2; return 0; }
        static void *release(char **list, int count) { return 0; }
        static void *config(void *options, const char *key, const char *value) {
            return strcmp(key, "session.disable_cpu_ep_fallback") ? realConfig(options, key, value) : 0;
        }
        static void *append(void *options, const char *name, void *keys, const char **values, size_t count) {
            for (size_t i = 0; i < count; i++) if (!strcmp(values[i], "GPU")) return fail("no such device");
            if (FAULT == 1) return fail("no device");
            marked = options;
            return 0;
        }
        static void *create(void *env, const char *path, void *options, void **session) {
            int isForeign = marked == options;
            marked = 0;
            if (FAULT == 2 && isForeign) return fail("unsupported operator");
            void *status = realCreate(env, path, options, session);
            for (int i = 0; i < foreigns; i++) if (foreign[i] == *session) foreign[i] = 0;
            if (isForeign && !status) foreign[foreigns++ % 64] = *session;
            return status;
        }
        static int used(void *session) {
            for (int i = 0; i < 64; i++) if (foreign[i] == session) return 1;
            return 0;
        }
        static void spoil(void *session, void *value) {
            if (!used(session) || FAULT < 4 || FAULT > 6 || (FAULT == 4 && runs < 4)) return;
            float *data;
            ((void *(*)(void *, void **))table[51])(value, (void **)&data);
            data[0] = FAULT == 6 ? data[0] * 1.1f + 0.1f : NAN;
        }
        static void wait_(void *session) {
            struct timespec time = { 0, 20000000 };
            if (FAULT == (used(session) ? 7 : 8)) nanosleep(&time, 0);
        }
        static void *run(void *s, void *o, void *in, void *inputs, size_t n, void *on, size_t count, void **outputs) {
            if (used(s) && ++runs > 3 && runs < 7 && FAULT == 3) return fail("device lost");
            wait_(s);
            void *status = realRun(s, o, in, inputs, n, on, count, outputs);
            if (!status) spoil(s, outputs[0]);
            return status;
        }
        static void *bound_;
        static void *bind(void *binding, const char *name, void *value) {
            bound_ = value;
            return realBind(binding, name, value);
        }
        static void *bound(void *session, void *options, void *binding) {
            if (used(session) && ++runs > 3 && runs < 7 && FAULT == 3) return fail("device lost");
            wait_(session);
            void *status = realBound(session, options, binding);
            if (!status) spoil(session, bound_);
            return status;
        }
        static const void *api(uint32_t version) {
            const void *from = version > 16 ? 0 : real->api(version);
            if (!from) return 0;
            memcpy(table, from, sizeof table);
            realRun = table[9]; realBound = table[133]; realBind = table[137]; realCreate = table[7];
            realConfig = table[130];
            table[7] = create; table[9] = run; table[125] = providers; table[126] = release; table[130] = config;
            table[133] = bound; table[137] = bind; table[216] = append;
            return table;
        }
        static const char *version(void) { return real->version(); }
        static const Base base = { api, version };
        const void *OrtGetApiBase(void) {
            if (!real) real = ((const void *(*)(void))dlsym(dlopen(REAL, RTLD_NOW), "OrtGetApiBase"))();
            return &base;
        }
        """
}
