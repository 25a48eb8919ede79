using System;
using System.IO;
using System.Management.Automation;
using System.Runtime.InteropServices;
#if NET8_0_OR_GREATER
using System.Reflection;
#endif

namespace ZoomUserStatus.PowerShell
{
    /// <summary>
    /// Loads the native library by its full path as the module is imported. PowerShell's own look-up wants <c>linux-x64/zus.so</c>, without "lib",
    /// and does not know musl; and a path that is searched could hold another zus.
    /// </summary>
    public sealed class NativeLibraryLoader : IModuleAssemblyInitializer
    {
        private static readonly object Lock = new object();
        private static bool s_loaded;

        /// <summary>Called by PowerShell when it imports the module.</summary>
        public void OnImport()
        {
            lock (Lock) // another runspace may import it as well
            {
                if (s_loaded) return;
                string path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(NativeLibraryLoader).Assembly.Location)!, "..", "..", "runtimes", Runtime, "native", FileName));
                if (!File.Exists(path))
                    throw new DllNotFoundException("The module ZoomUserStatus has no native library for this system (" + RuntimeInformation.OSDescription + ", " + Runtime + "): there is no " + path + ".");
                Load(path);
                s_loaded = true;
            }
        }

        private static bool IsWindows => RuntimeInformation.IsOSPlatform(OSPlatform.Windows);
        private static bool IsMac => RuntimeInformation.IsOSPlatform(OSPlatform.OSX);

        private static string FileName => IsWindows ? "zus.dll" : IsMac ? "libzus.dylib" : "libzus.so";

#pragma warning disable CA1308 // .NET's names of runtimes are lower-case
        /// <summary>.NET's name of this process's system and processor: a 32-bit PowerShell on 64-bit Windows is win-x86.</summary>
        private static string Runtime =>
            (IsWindows ? "win-" : IsMac ? "osx-" : IsMusl ? "linux-musl-" : "linux-") + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
#pragma warning restore CA1308

#if NET8_0_OR_GREATER
        /// <summary>A process without glibc's own function. Neither the RID nor a loader's file tells it: distributions name RIDs as they like, and may have both.</summary>
        private static bool IsMusl => !NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "gnu_get_libc_version", out _);

        private static void Load(string path)
        {
            nint library = NativeLibrary.Load(path);
            Assembly user = typeof(ZoomUserStatusClient).Assembly;
            try { NativeLibrary.SetDllImportResolver(user, (name, _, _) => name == "zus" ? library : 0); }
            catch (InvalidOperationException) { } // the assembly is loaded and in use already: by another module, with a library of its own
        }
#else
        private static bool IsMusl => false; // Windows PowerShell is on Windows

        [DllImport("kernel32", CharSet = CharSet.Unicode, SetLastError = true, ExactSpelling = true), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        private static extern IntPtr LoadLibraryW(string path);

        /// <summary>.NET Framework finds a library that is loaded already by the name of its file.</summary>
        private static void Load(string path)
        {
            if (IsWindows && LoadLibraryW(path) == IntPtr.Zero)
                throw new DllNotFoundException(path + " can't be loaded: " + new System.ComponentModel.Win32Exception(Marshal.GetLastWin32Error()).Message);
        }
#endif
    }
}
