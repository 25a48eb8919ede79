using System;
using System.Linq;
using System.Runtime.InteropServices;
#if NET8_0_OR_GREATER
using System.Reflection;
#endif

namespace ZoomUserStatus
{
    /// <summary>Finds the native library, and says in words what is wrong when it is missing, of another processor, or of another ABI.</summary>
    internal static unsafe class NativeLibraryCheck
    {
        /// <summary>ZUS_ABI_VERSION of the zus.h that NativeMethods was written for.</summary>
        private const int Wanted = 0;
        private static readonly object Lock = new object();
        private static volatile bool s_good;

        public static void Ensure()
        {
            if (s_good) return;
            lock (Lock)
            {
                if (s_good) return;
                Resolve();
                int found;
                try { found = NativeMethods.zus_abi_version(); }
                catch (DllNotFoundException e) { throw new DllNotFoundException(NotFound(e), e); }
                catch (BadImageFormatException e)
                {
                    throw new BadImageFormatException("The native library of ZoomUserStatus that was found is not for this " + IntPtr.Size * 8 + "-bit process (" +
                        RuntimeInformation.OSDescription + ", " + RuntimeInformation.ProcessArchitecture + ").", e);
                }
                catch (EntryPointNotFoundException e)
                {
                    throw new DllNotFoundException("A library named " + NativeMethods.Library + " was loaded that is not libzus: it has no function zus_abi_version.", e);
                }
                if (found != Wanted)
                {
                    throw new InvalidOperationException("The native library that was loaded, libzus " + Utf8.Decode(NativeMethods.zus_version()) + ", has ABI number " + found +
                        ", but this ZoomUserStatus needs " + Wanted + ". Look for another copy beside the program or on the library path.");
                }
                if (Missing() is string function)
                {
                    throw new InvalidOperationException("The native library that was loaded, libzus " + Utf8.Decode(NativeMethods.zus_version()) +
                        ", is older than this ZoomUserStatus: it has no function " + function + ". Look for another copy beside the program or on the library path.");
                }
                s_good = true;
            }
        }

        private static bool IsWindows => RuntimeInformation.IsOSPlatform(OSPlatform.Windows);
        private static bool IsMac => RuntimeInformation.IsOSPlatform(OSPlatform.OSX);

        private static string NotFound(DllNotFoundException e)
        {
#if NET8_0_OR_GREATER
            if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path)
                return "The native library of ZoomUserStatus could not be loaded from " + path + ", which the environment variable " + Variable + " names." + Reason(e);
            string names = IsWindows ? "zus.dll" : IsMac ? "libzus.dylib or libzus.0.dylib" : "libzus.so or libzus.so.0";
            const string hint = ", or name its path in the environment variable " + Variable;
#else
            string names = IsWindows ? "zus.dll" : IsMac ? "libzus.dylib" : "libzus.so";
            const string hint = "";
#endif
            string system = IsWindows ? "in System32 (not in PATH)" : "where the system looks (" + (IsMac ? "DYLD" : "LD") + "_LIBRARY_PATH and its own folders)";
            return "The native library of ZoomUserStatus was not found: there is no usable " + names + " in " + AppContext.BaseDirectory +
                ", beside ZoomUserStatus.dll, in the package's folder for this system, or " + system + "." + Reason(e) + " The NuGet package has it for win-x64, win-x86, linux-x64, linux-x86, linux-arm64, linux-arm, linux-musl-x64, linux-musl-arm64, " +
                "osx-arm64 and osx-x64. Elsewhere, build it and put it beside the program" + hint + ".";
        }

        /// <summary>Of the system's lines, one for each place, the first that is not just "no such file".</summary>
        private static string Reason(DllNotFoundException e)
        {
            string[] absent = { "No such file", "no such file", "Unable to load", "(0x8007007E)" };
            string? line = e.Message.Split('\n').Select(l => l.Trim()).FirstOrDefault(l => l.Length != 0 && !absent.Any(l.Contains));
            return line is null ? "" : " The system said: " + line.TrimEnd('.') + ".";
        }

#if NET8_0_OR_GREATER
        private const string Variable = "ZUS_LIBRARY";
        private static nint s_library; // 0 where the program has a resolver of its own

        private static void Resolve()
        {
            try { NativeLibrary.SetDllImportResolver(typeof(NativeLibraryCheck).Assembly, Find); }
            catch (InvalidOperationException) { } // the program has set one of its own, or this is another try
        }

        /// <summary>
        /// The path in ZUS_LIBRARY; else zus as the runtime looks for it; else the name that a distribution's package has without the headers'.
        /// </summary>
        private static nint Find(string name, Assembly assembly, DllImportSearchPath? where)
        {
            if (name != NativeMethods.Library) return 0;
            if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path) return s_library = NativeLibrary.Load(path);
            if (!NativeLibrary.TryLoad(name, assembly, where, out s_library) && !IsWindows)
                NativeLibrary.TryLoad(IsMac ? "libzus.0.dylib" : "libzus.so.0", assembly, where, out s_library);
            return s_library;
        }

        private static string? Missing() => s_library == 0 ? null : typeof(NativeMethods).GetMethods(BindingFlags.Static | BindingFlags.NonPublic)
            .Select(m => m.Name).FirstOrDefault(name => name.StartsWith("zus_", StringComparison.Ordinal) && !NativeLibrary.TryGetExport(s_library, name, out _));
#else
        private static void Resolve() { }
        private static string? Missing() => null;
#endif
    }
}
