using System;

namespace ZoomUserStatus
{
    /// <summary>Says in words what is wrong when the native library is missing, of another processor, or of another version.</summary>
    internal static unsafe class NativeLibraryCheck
    {
        /// <summary>ZUS_ABI_VERSION of the zus.h that NativeMethods was written for.</summary>
        internal const int Wanted = 0;
        private static volatile bool s_good;

        public static void Ensure()
        {
            if (s_good) return;
            int found;
            try { found = NativeMethods.zus_abi_version(); }
            catch (DllNotFoundException e)
            {
                throw new DllNotFoundException("The native library of ZoomUserStatus (libzus.so, libzus.dylib or zus.dll) was not found. It comes with the NuGet package " +
                    "for win-x64, win-x86, linux-x64, linux-arm64, linux-musl-x64, osx-arm64 and osx-x64. Elsewhere, build it and put it beside the program or, on Linux and macOS, " +
                    "into a folder that the system searches (LD_LIBRARY_PATH, DYLD_LIBRARY_PATH). The system said: " + e.Message, e);
            }
            catch (BadImageFormatException e)
            {
                throw new BadImageFormatException("The native library of ZoomUserStatus is for another processor than this " +
                    (IntPtr.Size * 8) + "-bit process. The system said: " + e.Message, e);
            }
            catch (EntryPointNotFoundException e)
            {
                throw new DllNotFoundException("A library named zus was loaded that is not libzus: it has no function zus_abi_version.", e);
            }
            Check(found);
            s_good = true;
        }

        internal static void Check(int found)
        {
            if (found != Wanted)
                throw new InvalidOperationException("The native library that was loaded has ABI number " + found + ", but this ZoomUserStatus needs " + Wanted +
                    ". Look for another copy beside the program or on the library path.");
        }
    }
}
