using System.Text;

namespace ZoomUserStatus
{
    /// <summary>Strings across the C boundary: NUL-ended UTF-8.</summary>
    internal static unsafe class Utf8
    {
        private static readonly UTF8Encoding Strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

        /// <summary>
        /// The bytes to hand to C, the caller's own to wipe; null gives null. What UTF-8 or a C string can't carry must not be corrected silently
        /// (a replaced or cut ID is another user): it goes over as something that the library refuses with the fitting code.
        /// </summary>
        public static byte[]? Encode(string? text)
        {
            if (text is null) return null;
            text = text.Replace('\0', '\u0001'); // refused as a control character; a NUL would end the C string early
            try
            {
                var bytes = new byte[Strict.GetByteCount(text) + 1];
                Strict.GetBytes(text, 0, text.Length, bytes, 0);
                return bytes;
            }
            catch (EncoderFallbackException) { return new byte[] { 0xFF, 0 }; } // half a surrogate pair; 0xFF is in no UTF-8
        }

        public static string Decode(byte* text)
        {
            if (text == null) return "";
            int length = 0;
            while (text[length] != 0) length++;
            return Decode(text, length);
        }

        public static string Decode(byte* text, int length) => length == 0 ? "" : Encoding.UTF8.GetString(text, length);
    }
}
